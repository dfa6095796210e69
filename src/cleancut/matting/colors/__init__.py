"""The subject's colour where alpha is soft, with the old background's taken out."""
