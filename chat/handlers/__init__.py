"""Tornado doors: read the input, call one action, write the answer."""
