"""Every error of the platform, drawn as a tree.

* TalentError
  + SettingsError    (a setting is missing or malformed)        exit 2
  + SourceError      (a source cannot be read)                  exit 3
  + DataError        (an input breaks its declaration)          exit 4
    - TooFewError    (there is too little to learn from)        exit 99, a refusal
  + RegistryError    (no such model, version or alias)          exit 5
  + ServingError     (an answer cannot be given)                exit 6

A message names the thing, what was found and what is allowed. Errors are raised early and caught only at the
borders: the command line turns them into an exit status, HTTP into a problem answer.
"""


class TalentError(Exception):
    """Base of all errors that the platform raises on purpose."""

    exit_code = 1


class SettingsError(TalentError):
    """A setting is missing or malformed."""

    exit_code = 2


class SourceError(TalentError):
    """A source system cannot be read or written."""

    exit_code = 3


class DataError(TalentError):
    """An input breaks its declaration."""

    exit_code = 4


class TooFewError(DataError):
    """There is too little to learn from or to compare; nothing is wrong with what there is."""

    exit_code = 99


class RegistryError(TalentError):
    """No such model, version or alias, or the registry refuses."""

    exit_code = 5


class ServingError(TalentError):
    """An answer cannot be given."""

    exit_code = 6
