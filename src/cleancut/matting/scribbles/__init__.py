"""What a person says with a brush: strokes and masks, how far they reach, and a cutout corrected by them."""
