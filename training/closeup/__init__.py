"""How cleancut-edges is made: a small network that looks at an edge from close up and says where exactly it runs."""
