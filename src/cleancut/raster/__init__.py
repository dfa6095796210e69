"""How planes of pixels are computed: strips, layers, filters. It knows no file, model or recipe."""
