//! The JSON Schema of policies, from the same lists of keys that the reader checks.

use crate::schema::Document;
use schemars::generate::SchemaSettings;
use serde_json::json;

/// The JSON Schema of schema 1, for editors that complete and check TOML.
///
/// It is one of draft 2020-12 and says so. Definitions are kept where draft 4 has them, and nothing is said in
/// words that draft 4 has for something else: an editor that knows only that draft understands most of it.
#[must_use]
pub fn json_schema() -> String {
    let mut schema = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/definitions".into())
        .into_generator()
        .into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "Sekisho policy, schema 1".into());
    // What a policy must say may be said by the file that it extends, but for the schema itself.
    if let Some(required) = schema.remove("required") {
        let alternatives = json!([{ "required": ["extends"] }, { "required": required }]);
        schema.insert("anyOf".to_owned(), alternatives);
        schema.insert("required".to_owned(), json!(["policy"]));
    }
    format!("{:#}\n", schema.to_value())
}

#[cfg(test)]
mod tests {
    use super::json_schema;
    use serde_json::{Value, json};

    fn schema() -> Value {
        serde_json::from_str(&json_schema()).unwrap()
    }

    #[test]
    fn the_schema_knows_what_must_be_there_and_refuses_the_rest() {
        let schema = schema();
        assert_eq!(schema["required"], json!(["policy"]));
        let whole = json!({ "required": ["policy", "name", "defaults"] });
        assert_eq!(schema["anyOf"], json!([{ "required": ["extends"] }, whole]));
        assert_eq!(schema["additionalProperties"], json!(false));
        let defaults = &schema["definitions"]["Defaults"];
        assert_eq!(defaults["required"], json!(["storage", "network", "other"]));
    }

    #[test]
    fn every_key_and_table_is_described() {
        fn walk(path: &str, value: &Value) {
            if let Some(properties) = value.get("properties").and_then(Value::as_object) {
                for (key, property) in properties {
                    let described = property["description"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty());
                    assert!(described, "{path}/{key}");
                }
            }
            for (key, inner) in value.as_object().into_iter().flatten() {
                walk(&format!("{path}/{key}"), inner);
            }
        }
        walk("", &schema());
    }

    #[test]
    fn words_and_ranges_are_those_of_the_reader() {
        let definitions = &schema()["definitions"];
        assert_eq!(definitions["PartitionNumber"]["maximum"], json!(128));
        assert_eq!(definitions["KeySize"]["enum"], json!([256, 512]));
        assert_eq!(definitions["NetModule"]["oneOf"][4]["enum"], json!(["vpn"]));
        assert_eq!(definitions["Driver"]["enum"][5], json!("none"));
    }
}
