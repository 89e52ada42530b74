//! Templates, styles and texts are embedded: a new or changed one must build the crate again.

fn main() {
    for directory in ["templates", "assets", "languages"] {
        println!("cargo:rerun-if-changed={directory}");
    }
}
