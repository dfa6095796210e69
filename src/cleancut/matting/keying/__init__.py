"""Alpha from colour alone: backdrops told by their border, chroma keys, GrabCut. No network is asked."""
