"""Runs scenarios through the whole path and scores them. Not shipped."""
