//! Boots the real image in an emulator.
