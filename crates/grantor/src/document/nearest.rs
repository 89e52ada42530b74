//! The nearest right word.

/// The word that was most likely meant; none when nothing is near.
pub(crate) fn nearest<'a>(word: &str, right: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase().replace('-', "_");
    right
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase().replace('-', "_")), candidate))
        .filter(|(distance, candidate)| {
            let bearable = word.chars().count().max(candidate.chars().count()).div_ceil(3);
            *distance <= bearable || (word.len() >= 4 && candidate.starts_with(word))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The help that goes with an unknown word: the nearest right one, or all of them when they are few.
pub(crate) fn did_you_mean<'a>(word: &str, right: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let right: Vec<&str> = right.into_iter().collect();
    if let Some(nearest) = nearest(word, right.iter().copied()) {
        return Some(format!("did you mean {nearest}?"));
    }
    if right.is_empty() {
        return Some("there is none yet".to_owned());
    }
    (right.len() <= 12).then(|| format!("known here: {}", right.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let words = ["redirect_uris", "response_types", "client_id", "scope"];
        assert_eq!(nearest("redirect_uri", words), Some("redirect_uris"));
        assert_eq!(nearest("redirectUris", words), Some("redirect_uris"));
        assert_eq!(nearest("client-id", words), Some("client_id"));
        assert_eq!(nearest("scopes", words), Some("scope"));
        assert_eq!(nearest("zzz", words), None);
        assert_eq!(did_you_mean("zzz", ["a", "b"]).unwrap(), "known here: a, b");
    }
}
