//! The token desk's collections: whatever is read keeps its secrets, stays within its bounds, and comes back from the file
//! that is written of it; nothing in it begins a line of its own in a `.http` file.
#![no_main]

use grantor_protocol::desk::{
    Collection, Environment, Folder, Imported, Item, Unfilled, Value, Variables, from_postman, to_http_file, to_postman,
};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "tHe-ClIeNt-SeCrEt";

fuzz_target!(|data: &[u8]| {
    let _ = Environment::parse(data);
    if let Ok(ours) = Collection::parse(data) {
        holds(&ours);
    }
    let Ok(Imported { collection, .. }) = from_postman(data) else { return };
    holds(&collection);
    let exported = to_postman(&collection).json;
    let again = from_postman(exported.to_string().as_bytes()).expect("what is written can be read").collection;
    assert_eq!(again.root(), collection.root());
    assert_eq!(to_postman(&again).json, exported);
    // With a secret in the place of whatever was one.
    let Ok(text) = std::str::from_utf8(data) else { return };
    if !text.contains(SECRET) {
        let with_secret = text.replace("hunter2", SECRET);
        let Ok(Imported { collection, .. }) = from_postman(with_secret.as_bytes()) else { return };
        let secret = |value: &Value| matches!(value, Value::Secret(Some(secret)) if secret.expose() == SECRET);
        if collection.variables().iter().any(|one| secret(&one.value)) {
            let mut open = collection.variables().to_vec();
            open.retain(|one| one.value.is_secret());
            let shown = serde_json::to_string(&open).expect("variables");
            assert!(!shown.contains(SECRET) && !format!("{open:?}").contains(SECRET));
        }
    }
});

fn holds(collection: &Collection) {
    let requests = count(collection.root());
    let tokens = to_postman(collection).json["item"].as_array().map_or(0, Vec::len);
    let text = to_http_file(collection).text;
    assert!(text.lines().filter(|line| line.trim_start().starts_with("###")).count() <= requests + tokens);
    let variables = Variables::new([collection.variables()]);
    for variable in collection.variables() {
        match variables.fill(&variable.name.reference()) {
            Ok(filled) => assert!(filled.expose().len() <= 1 << 20),
            Err(Unfilled::Unknown(names) | Unfilled::Unset(names)) => assert!(!names.is_empty()),
            Err(_) => {}
        }
    }
}

fn count(folder: &Folder) -> usize {
    let one = |item: &Item| match item {
        Item::Folder(inner) => count(inner),
        Item::Request(_) => 1,
    };
    folder.items.iter().map(one).sum()
}
