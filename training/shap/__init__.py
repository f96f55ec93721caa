"""SHAP values of LightGBM models, exact and fast."""
