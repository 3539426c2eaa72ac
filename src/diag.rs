//! Problems with a text: a place and a kind, rendered under the source line.
