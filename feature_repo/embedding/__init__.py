"""Sentences as vectors: all-MiniLM-L6-v2 without torch, and a cache of what was already encoded."""

from feature_repo.embedding.cache import EmbeddingCache
from feature_repo.embedding.encoder import Encoder, open_encoder
from feature_repo.embedding.model import packaged_model

__all__ = ["EmbeddingCache", "Encoder", "open_encoder", "packaged_model"]
