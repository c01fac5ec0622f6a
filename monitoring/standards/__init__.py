"""The standards that water is judged by, one module each, its authority in the first line. Values in, verdict out."""
