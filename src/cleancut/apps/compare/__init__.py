"""`cleancut compare`: two cut-outs, two models or two recipes beside each other, in figures and in pictures."""
