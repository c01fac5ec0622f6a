"""Region packs: one folder a city, everything local that the program must know (see README.md)."""
