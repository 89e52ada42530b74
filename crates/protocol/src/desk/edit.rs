//! Changing a collection: each change gives another one, within the same bounds, or says why there is none.

use super::Invalid;
use super::collection::{Collection, Folder, Item, Request, Token};
use super::text::Name;
use super::variable::Variable;
use crate::error::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where something is in a collection: of each folder from the outermost on which of its items, counted from 0; nothing for
/// the outermost folder itself. Written `0.2.1`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct At(Vec<usize>);

/// What a folder says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What people call it.
    pub name: Name,
    /// What it is for.
    pub description: String,
    /// How the requests in it get a token.
    pub token: Token,
}

/// To which neighbour's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The one before.
    Up,
    /// The one after.
    Down,
}

/// Why a collection cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unchanged {
    /// There is nothing of this kind in this place.
    #[error("there is no such place")]
    Nowhere,
    /// What comes of it is no collection.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl At {
    /// Reads what is written so; the empty text is the outermost folder.
    pub fn parse(raw: &str) -> Option<Self> {
        if raw.is_empty() {
            return Some(Self::default());
        }
        // Deeper than folders may lie is nowhere.
        let steps = raw.split('.').take(super::MAX_DEPTH + 2);
        steps.map(|step| step.parse().ok()).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Of each folder which of its items.
    pub fn steps(&self) -> &[usize] {
        &self.0
    }

    /// Whether it is the outermost folder.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of an item of the folder that is here.
    #[must_use]
    pub fn item(&self, number: usize) -> Self {
        Self(self.0.iter().copied().chain([number]).collect())
    }

    /// The folder around it, and which of its items it is; none for the outermost.
    pub fn around(&self) -> Option<(Self, usize)> {
        let (last, folders) = self.0.split_last()?;
        Some((Self(folders.to_vec()), *last))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            write!(f, "{}{step}", if number == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl Collection {
    /// With another item at the end of the folder at `at`. Gives its place too.
    pub fn with(&self, at: &At, item: Item) -> Result<(Self, At), Unchanged> {
        let mut root = self.root().clone();
        let folder = folder_at(&mut root, at.steps()).ok_or(Unchanged::Nowhere)?;
        let place = at.item(folder.items.len());
        folder.items.push(item);
        Ok((Self::new(root, self.variables().to_vec())?, place))
    }

    /// With something else said of the folder at `at`; what is in it stays.
    pub fn with_about(&self, at: &At, about: About) -> Result<Self, Unchanged> {
        let mut root = self.root().clone();
        let folder = folder_at(&mut root, at.steps()).ok_or(Unchanged::Nowhere)?;
        let About { name, description, token } = about;
        (folder.name, folder.description, folder.token) = (name, description, token);
        Ok(Self::new(root, self.variables().to_vec())?)
    }

    /// With another request in the place of the one at `at`.
    pub fn with_request(&self, at: &At, request: Request) -> Result<Self, Unchanged> {
        let mut root = self.root().clone();
        let (folder, number) = items_around(&mut root, at)?;
        match folder.get_mut(number) {
            Some(Item::Request(held)) => *held = request,
            Some(Item::Folder(_)) | None => return Err(Unchanged::Nowhere),
        }
        Ok(Self::new(root, self.variables().to_vec())?)
    }

    /// With other variables.
    pub fn with_variables(&self, variables: Vec<Variable>) -> Result<Self, Unchanged> {
        Ok(Self::new(self.root().clone(), variables)?)
    }

    /// With what is at `at` in its neighbour's place. Gives its place then; where there is no neighbour, nothing moves.
    pub fn moved(&self, at: &At, step: Step) -> Result<(Self, At), Unchanged> {
        let mut root = self.root().clone();
        let (items, number) = items_around(&mut root, at)?;
        if number >= items.len() {
            return Err(Unchanged::Nowhere);
        }
        let next = match step {
            Step::Up => number.checked_sub(1),
            Step::Down => Some(number + 1).filter(|next| *next < items.len()),
        };
        let next = next.unwrap_or(number);
        items.swap(number, next);
        let around = at.around().map(|(around, _)| around).unwrap_or_default();
        Ok((Self::new(root, self.variables().to_vec())?, around.item(next)))
    }

    /// Without what is at `at`, and all that is in it.
    pub fn without(&self, at: &At) -> Result<Self, Unchanged> {
        let mut root = self.root().clone();
        let (items, number) = items_around(&mut root, at)?;
        if number >= items.len() {
            return Err(Unchanged::Nowhere);
        }
        items.remove(number);
        Ok(Self::new(root, self.variables().to_vec())?)
    }
}

impl From<Unchanged> for Refusal {
    fn from(unchanged: Unchanged) -> Self {
        match unchanged {
            Unchanged::Nowhere => Self::NotOnTheDesk,
            Unchanged::Invalid(_) => Self::DeskIsFull,
        }
    }
}

fn folder_at<'f>(root: &'f mut Folder, steps: &[usize]) -> Option<&'f mut Folder> {
    steps.iter().try_fold(root, |folder, step| match folder.items.get_mut(*step)? {
        Item::Folder(inner) => Some(inner),
        Item::Request(_) => None,
    })
}

/// The items among which the place is, and which of them it is.
fn items_around<'f>(root: &'f mut Folder, at: &At) -> Result<(&'f mut Vec<Item>, usize), Unchanged> {
    let (around, number) = at.around().ok_or(Unchanged::Nowhere)?;
    let folder = folder_at(root, around.steps()).ok_or(Unchanged::Nowhere)?;
    Ok((&mut folder.items, number))
}

#[cfg(test)]
mod tests {
    use super::super::collection::Body;
    use super::super::text::{Line, Method};
    use super::super::{MAX_DEPTH, MAX_ITEMS};
    use super::*;
    use proptest::prelude::*;

    fn name(raw: &str) -> Name {
        Name::parse(raw).unwrap()
    }

    fn at(raw: &str) -> At {
        At::parse(raw).unwrap()
    }

    fn folder(called: &str) -> Item {
        Item::Folder(Folder {
            name: name(called),
            description: String::new(),
            token: Token::Inherited,
            items: Vec::new(),
        })
    }

    fn request(called: &str) -> Request {
        Request {
            name: name(called),
            description: String::new(),
            token: Token::Inherited,
            method: Method::get(),
            url: Line::default(),
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    fn empty() -> Collection {
        let Item::Folder(root) = folder("Notes") else { unreachable!() };
        Collection::new(root, Vec::new()).unwrap()
    }

    /// Notes: Reading (list, one), ping.
    fn notes() -> Collection {
        let (notes, reading) = empty().with(&At::default(), folder("Reading")).unwrap();
        let (notes, list) = notes.with(&reading, Item::Request(request("list"))).unwrap();
        let (notes, one) = notes.with(&reading, Item::Request(request("one"))).unwrap();
        let (notes, ping) = notes.with(&At::default(), Item::Request(request("ping"))).unwrap();
        assert_eq!([reading, list, one, ping], [at("0"), at("0.0"), at("0.1"), at("1")]);
        notes
    }

    fn names(folder: &Folder) -> Vec<String> {
        let name = |item: &Item| match item {
            Item::Folder(folder) => vec![folder.name.to_string(), format!("({})", names(folder).join(" "))],
            Item::Request(request) => vec![request.name.to_string()],
        };
        folder.items.iter().flat_map(name).collect()
    }

    fn written(collection: &Collection) -> String {
        names(collection.root()).join(" ")
    }

    #[test]
    fn a_place_is_written_in_steps() {
        for raw in ["", "0", "0.2.1"] {
            assert_eq!(at(raw).to_string(), raw);
        }
        for raw in [".", "0.", "-1", "a", "0..1", "99999999999999999999999"] {
            assert_eq!(At::parse(raw), None, "{raw}");
        }
        assert!(at("").is_root() && !at("0").is_root());
        assert_eq!((at("0.2").around(), at("").around()), (Some((at("0"), 2)), None));
    }

    #[test]
    fn things_are_put_moved_and_taken_away() {
        let notes = notes();
        assert_eq!(written(&notes), "Reading (list one) ping");
        let (down, place) = notes.moved(&at("0"), Step::Down).unwrap();
        assert_eq!((written(&down).as_str(), place), ("ping Reading (list one)", at("1")));
        let (up, place) = notes.moved(&at("0.1"), Step::Up).unwrap();
        assert_eq!((written(&up).as_str(), place), ("Reading (one list) ping", at("0.0")));
        for (place, step) in [("0", Step::Up), ("1", Step::Down), ("0.0", Step::Up)] {
            let (same, stays) = notes.moved(&at(place), step).unwrap();
            assert_eq!((written(&same), stays), (written(&notes), at(place)));
        }
        assert_eq!(written(&notes.without(&at("0.0")).unwrap()), "Reading (one) ping");
        assert_eq!(written(&notes.without(&at("0")).unwrap()), "ping");
        let about = About { name: name("Read"), description: "all".into(), token: Token::None };
        let renamed = notes.with_about(&at("0"), about).unwrap();
        assert_eq!(written(&renamed), "Read (list one) ping");
        assert_eq!(renamed.folder(&[0]).unwrap().0.token, Token::None);
        assert_eq!(written(&notes.with_request(&at("0.0"), request("all")).unwrap()), "Reading (all one) ping");
    }

    #[test]
    fn what_is_not_there_is_not_changed() {
        let notes = notes();
        let about = || About { name: name("x"), description: String::new(), token: Token::None };
        for place in ["2", "0.2", "1.0", "0.0.0"] {
            let place = at(place);
            assert_eq!(notes.without(&place).unwrap_err(), Unchanged::Nowhere);
            assert_eq!(notes.moved(&place, Step::Up).unwrap_err(), Unchanged::Nowhere);
            assert_eq!(notes.with_request(&place, request("x")).unwrap_err(), Unchanged::Nowhere);
            assert_eq!(notes.with_about(&place, about()).unwrap_err(), Unchanged::Nowhere);
            assert_eq!(notes.with(&place, folder("x")).unwrap_err(), Unchanged::Nowhere);
        }
        assert_eq!(notes.with_request(&at("0"), request("x")).unwrap_err(), Unchanged::Nowhere, "a folder");
        assert_eq!(notes.with_about(&at("1"), about()).unwrap_err(), Unchanged::Nowhere, "a request");
        assert_eq!(notes.without(&At::default()).unwrap_err(), Unchanged::Nowhere, "the outermost is the whole");
    }

    #[test]
    fn the_bounds_hold_after_each_change() {
        let (mut deep, mut place) = (empty(), At::default());
        for _ in 0..MAX_DEPTH {
            (deep, place) = deep.with(&place, folder("in")).unwrap();
        }
        assert_eq!(deep.with(&place, folder("in")).unwrap_err(), Unchanged::Invalid(Invalid::Depth));
        let mut root = empty().root().clone();
        root.items = vec![Item::Request(request("r")); MAX_ITEMS];
        let full = Collection::new(root, Vec::new()).unwrap();
        let more = full.with(&At::default(), Item::Request(request("r"))).unwrap_err();
        assert_eq!(more, Unchanged::Invalid(Invalid::Items));
    }

    fn count(folder: &Folder) -> usize {
        let of = |item: &Item| match item {
            Item::Folder(folder) => 1 + count(folder),
            Item::Request(_) => 1,
        };
        folder.items.iter().map(of).sum()
    }

    proptest! {
        /// Whatever is asked for: as much is there as should be, and what has changed is a collection still.
        #[test]
        fn nothing_else_is_lost(changes in prop::collection::vec((0..5_u8, prop::collection::vec(0..4_usize, 0..4)), 0..40)) {
            let mut held = notes();
            for (what, steps) in changes {
                let (place, before) = (At(steps), count(held.root()));
                let gone = held.folder(place.steps()).map_or(1, |(folder, _)| 1 + count(folder));
                let changed = match what {
                    0 => held.with(&place, folder("f")).map(|(changed, _)| (changed, before + 1)),
                    1 => held.with(&place, Item::Request(request("r"))).map(|(changed, _)| (changed, before + 1)),
                    2 => held.without(&place).map(|changed| (changed, before - gone)),
                    3 => held.moved(&place, Step::Up).map(|(changed, _)| (changed, before)),
                    _ => held.moved(&place, Step::Down).map(|(changed, _)| (changed, before)),
                };
                let Ok((changed, expected)) = changed else { continue };
                prop_assert_eq!(count(changed.root()), expected);
                let json = serde_json::to_vec(&changed).unwrap();
                prop_assert_eq!(written(&Collection::parse(&json).unwrap()), written(&changed));
                held = changed;
            }
        }
    }
}
