//! Values that are remembered.
