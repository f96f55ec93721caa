"""What items are made of, as sparse vectors: texts by TF-IDF, keys such as a city by their identity, and a number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Codes = NDArray[np.int64]
UNKNOWN = -1

# What a shared field adds to the product of two items. Chosen on the views of people before their last (hit@10, 2,681
# turns): letters beside words .344 -> .352, the city at 2 instead of 1 .352 -> .358, the company at .1 .333 -> .341.
WEIGHTS = {"words": 0.5, "letters": 0.5, "company": 0.2, "city": 2.0, "state": 1.0}


@dataclass(frozen=True)
class Items:
    """texts: a sparse matrix (items, terms) by name, rows of length 1 or 0. keys: a code per item, -1 unknown.

    number: rises with the time at which items were published.
    """

    texts: Mapping[str, Any]
    keys: Mapping[str, Codes]
    number: Codes

    def __len__(self) -> int:
        return len(self.number)

    def vectors(self, weights: Mapping[str, float]) -> Any:
        """Sparse, shape (items, terms and keys): the product of two rows is the weighed sum of what they share."""
        from scipy.sparse import hstack

        parts = {**self.texts, **{name: _identity(codes) for name, codes in self.keys.items()}}
        return hstack([part * np.float32(np.sqrt(weights[name])) for name, part in parts.items()]).tocsr()


def text_parts(texts: pl.Series) -> dict[str, Any]:
    """TF-IDF by words and pairs of words, and by letters (three to five within a word); all in lower case."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    lowered = texts.fill_null("").str.to_lowercase().to_list()
    shared: dict[str, Any] = {"sublinear_tf": True, "min_df": 2, "dtype": np.float32}
    return {
        "words": TfidfVectorizer(ngram_range=(1, 2), **shared).fit_transform(lowered),
        "letters": TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared).fit_transform(lowered),
    }


def key_codes(values: pl.Series) -> Codes:
    """A code per value, in alphabetical order of the values in lower case; -1 where null or empty."""
    known = values.str.to_lowercase().str.strip_chars().replace("", None)
    names = known.drop_nulls().unique().sort()
    codes = known.replace_strict(names, np.arange(len(names)), default=UNKNOWN, return_dtype=pl.Int64)
    return codes.fill_null(UNKNOWN).to_numpy()


def _identity(codes: Codes) -> Any:
    """One column per code, 1 where an item has it."""
    from scipy.sparse import csr_matrix

    has = np.flatnonzero(codes != UNKNOWN)
    ones = np.ones(len(has), np.float32)
    return csr_matrix((ones, (has, codes[has])), shape=(len(codes), int(codes.max(initial=0)) + 1))
