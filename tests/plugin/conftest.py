collect_ignore = ["src"]  # to import the example is to enter its effect, which only its own tests want
