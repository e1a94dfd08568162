//! PEFT's folder format.
