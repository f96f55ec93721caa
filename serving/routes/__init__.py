"""What is asked over HTTP, and the document that says so."""
