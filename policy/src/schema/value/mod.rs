//! Values with a form of their own, each parsed once into a type that cannot be wrong.

mod address;
mod identity;
mod number;

pub use address::{Cidr, EchoPeer, Endpoint, Host, HostOrNet, MacAddress, Network, Target};
pub use identity::{BasePath, Dropped, EspPath, Name, PublicKey, Uuid};
pub use number::{Attempts, BlockSize, DiskPort, Keepalive, KeySize, Mtu, PartitionNumber, SchemaVersion};

/// The JSON Schema of a string type.
macro_rules! string_schema {
    ($($Type:ident: $schema:tt),* $(,)?) => {$(
        impl schemars::JsonSchema for $Type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    )*};
}
use string_schema;
