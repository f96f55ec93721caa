"""The verbs of the command line, thin: each imports what it calls when it is called."""
