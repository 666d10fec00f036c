"""AWS's protocols: what a request asks for and how an answer is written."""
