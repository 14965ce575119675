//! Guest driver against mediator against device model, on the host.
