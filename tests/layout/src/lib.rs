//! The shape of the workspace, checked: dependency direction, unsafe, hygiene.
