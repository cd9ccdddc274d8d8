"""How fast the pages are, as ratios to bare Django pages over the same rows in the same run: `bin/campaign bench`.

`shape` says what is loaded, `practice` loads it into Chairside, `floors` is the bare app beside it, `servers` starts
both, `client` asks them over loopback, `run` takes turns between them and prints the table.
"""
