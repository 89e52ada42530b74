//! A condition as somebody types it.

use grantor_protocol::client::federated::Condition;
use serde_json::Value;

/// What the help says of it.
pub(super) const FORMS: &str = "'claim=text', 'claim:=JSON', 'claim~glob' or 'claim in a,b'";

/// `repository=acme/shop`, `runner:=7`, `ref~refs/heads/release/*`, `environment in staging,production`. The claim is a
/// JSON pointer when it begins with a slash, whose `~0` and `~1` are no operators (RFC 6901 3).
pub(super) fn parse(raw: &str) -> Result<Condition, String> {
    let pointer = raw.starts_with('/');
    let tilde = raw.match_indices('~').map(|(at, _)| at).find(|at| {
        let escape = raw.get(at + 1..).is_some_and(|rest| rest.starts_with(['0', '1']));
        !(pointer && escape)
    });
    let operators = [(raw.find(":="), 2), (raw.find('='), 1), (tilde, 1), (raw.find(" in "), 4)];
    let first = operators.into_iter().enumerate().filter_map(|(kind, (at, length))| Some((at?, kind, length))).min();
    let (at, kind, length) = first.ok_or_else(|| format!("write {FORMS}"))?;
    let (claim, value) = (raw.get(..at).unwrap_or_default().trim(), raw.get(at + length..).unwrap_or_default());
    let mut condition = Condition { claim: claim.to_owned(), equals: None, one_of: None, glob: None };
    match kind {
        0 => {
            let json = serde_json::from_str(value).map_err(|_| format!("{value:?} is no JSON: write {FORMS}"))?;
            condition.equals = Some(json);
        }
        1 => condition.equals = Some(Value::from(value)),
        2 => condition.glob = Some(value.to_owned()),
        _ => condition.one_of = Some(value.split(',').map(|one| Value::from(one.trim())).collect()),
    }
    Ok(condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_operator_decides() {
        let said = |raw: &str| parse(raw).unwrap().to_string();
        assert_eq!(said("repository=acme/shop"), "repository equals \"acme/shop\"");
        assert_eq!(said("sub=a~b=c in d"), "sub equals \"a~b=c in d\"");
        assert_eq!(said("run:=7"), "run equals 7");
        assert_eq!(said("sub=x:=7"), "sub equals \"x:=7\"");
        assert_eq!(said("ref~refs/heads/*"), "ref glob \"refs/heads/*\"");
        assert_eq!(said("environment in staging, production"), "environment is one of \"staging\", \"production\"");
        assert_eq!(said("/kubernetes.io~1x/namespace=a"), "/kubernetes.io~1x/namespace equals \"a\"");
        assert_eq!(said("/kubernetes.io/name~a*"), "/kubernetes.io/name glob \"a*\"");
        assert!(parse("repository").unwrap_err().contains("claim=text"));
        assert!(parse("run:=x").unwrap_err().contains("no JSON"));
    }
}
