//! The form of a page, read as a browser without JavaScript reads it.

use scraper::{ElementRef, Html, Selector};

/// The first form.
#[derive(Debug, Default)]
pub struct Form {
    pub action: String,
    pub inputs: Vec<Input>,
    /// Buttons with a name: name and value.
    pub buttons: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Input {
    pub name: String,
    pub value: String,
    /// A box that is not ticked sends nothing.
    pub ticked: bool,
    pub checkbox: bool,
}

impl Form {
    pub fn parse(page: &str) -> Option<Self> {
        let page = Html::parse_document(page);
        let form = page.select(&selector("form")).next()?;
        let (inputs, buttons) = (selector("input[name]"), selector("button[name]"));
        let enabled = form.select(&inputs).filter(|input| input.attr("disabled").is_none());
        Some(Self {
            action: form.attr("action").unwrap_or_default().to_owned(),
            inputs: enabled.map(input).collect(),
            buttons: form.select(&buttons).map(|button| (text(button, "name"), text(button, "value"))).collect(),
        })
    }
}

fn input(element: ElementRef<'_>) -> Input {
    let checkbox = element.attr("type") == Some("checkbox");
    Input {
        name: text(element, "name"),
        value: text(element, "value"),
        ticked: !checkbox || element.attr("checked").is_some(),
        checkbox,
    }
}

fn text(element: ElementRef<'_>, attribute: &str) -> String {
    element.attr(attribute).unwrap_or_default().to_owned()
}

fn selector(written: &str) -> Selector {
    Selector::parse(written).unwrap_or_else(|_| unreachable!("the selectors above are well formed"))
}
