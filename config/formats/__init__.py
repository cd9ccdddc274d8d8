"""How dates and times are written where no template says it: Django looks for a package a language."""
