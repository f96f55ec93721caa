"""LightGBM models, read once: their scores and SHAP values, exact and fast."""
