"""Judgement of the office: from the facts of a day to the measures they call for (`rules.py`), read in a fixed number of queries."""
