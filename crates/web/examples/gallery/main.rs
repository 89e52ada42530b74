//! Writes every page in each state and language as HTML, to be looked at: `cargo run -p grantor-web --example gallery -- DIR`.

mod samples;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use grantor_web::{Frame, Language, Pages};

fn main() -> Result<(), Box<dyn Error>> {
    let directory: PathBuf = std::env::args_os().nth(1).ok_or("usage: gallery DIRECTORY [OVERRIDES]")?.into();
    let pages = match std::env::args_os().nth(2) {
        None => Pages::new()?,
        Some(overrides) => Pages::with_overrides(&PathBuf::from(overrides))?,
    };
    fs::create_dir_all(&directory)?;
    for name in ["style.css", "playground.css", "desk.css", "theme.css", "mark.svg", "icon.svg"] {
        if let Some(asset) = pages.asset(name) {
            fs::write(directory.join(name), &asset.bytes)?;
        }
    }
    let frame = Frame { assets: ".".to_owned(), ..samples::frame() };
    let mut index = String::from("<!doctype html><title>Gallery</title><ul>");
    for sample in samples::all("Ledgerly", &frame) {
        for language in Language::ALL {
            let file = format!("{}.{}.html", sample.name, language.tag());
            fs::write(directory.join(&file), (sample.render)(&pages, language)?)?;
            write!(index, "<li><a href=\"{file}\">{file}</a>")?;
        }
    }
    fs::write(directory.join("index.html"), index)?;
    Ok(())
}
