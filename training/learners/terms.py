"""Texts as TF-IDF rows: the vocabulary is kept as text and the weights as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

Floats = NDArray[np.float64]
ANALYSIS: dict[str, dict[str, Any]] = {
    "words": {"stop_words": "english"},
    "letters": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}
"""words: of a description. letters: three to five in a row, which see that "baker" is in "pastry bakery worker"."""


@dataclass(frozen=True)
class Terms:
    """analysis: a key of ANALYSIS. vocabulary: terms in order, each with its weight, the inverse document frequency."""

    analysis: str
    vocabulary: tuple[str, ...]
    weights: Floats

    @staticmethod
    def fit(texts: Sequence[str], analysis: str) -> "Terms":
        """The terms of the texts; without any term where all texts are empty."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        if not any(text.strip() for text in texts):
            return Terms(analysis, (), np.zeros(0))
        fitted = TfidfVectorizer(sublinear_tf=True, **ANALYSIS[analysis]).fit(texts)
        return Terms(analysis, tuple(fitted.get_feature_names_out()), np.asarray(fitted.idf_, np.float64))

    def rows(self, texts: Sequence[str]) -> "csr_matrix":
        """Shape (texts, vocabulary), each row of length 1; a text without a known term is all zero."""
        from scipy.sparse import csr_matrix

        if not self.vocabulary or not texts:
            return csr_matrix((len(texts), len(self.vocabulary)))
        return csr_matrix(self._vectorizer.transform(texts))

    @cached_property
    def _vectorizer(self) -> "TfidfVectorizer":
        from sklearn.feature_extraction.text import TfidfVectorizer

        terms = {term: place for place, term in enumerate(self.vocabulary)}
        vectorizer = TfidfVectorizer(sublinear_tf=True, vocabulary=terms, **ANALYSIS[self.analysis])
        vectorizer.idf_ = self.weights
        return vectorizer
