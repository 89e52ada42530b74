use super::*;
use crate::document::fields_of;

fn read(text: &str, environment: &[(&str, &str)]) -> (Option<Configuration>, Vec<String>) {
    let environment: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut problems = Problems::default();
    let source = Source::new("grantor.toml", text);
    let configuration = source.parse(Format::Toml, &[], &mut problems).and_then(|mut tree| {
        overrides::apply(&mut tree, &Flags::default(), &environment, &mut problems);
        check::settle(tree, &source, Path::new("/etc/grantor"), &environment, &mut problems)
    });
    (configuration, problems.sorted().lines())
}

#[test]
fn without_a_file_it_is_a_server_on_this_machine() {
    let configuration = Configuration::read(&Flags::default(), &[]).unwrap();
    assert_eq!(configuration.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(configuration.issuer.as_str(), "http://localhost:8080");
    assert_eq!(configuration.database(), Path::new("grantor-data/grantor.db"));
    assert!(configuration.shown.iter().all(|shown| shown.from == "default"));
}

#[test]
fn every_problem_is_said_at_once_with_its_place() {
    let (_, lines) = read(
        "isuer = \"https://id.example\"\nlisten = \"8080\"\n[proxy]\ntrusted = [\"10.0.0.0/8\", \"proxy\"]\n[log]\nlevel = \"inf\"\n",
        &[("GRANTOR_LOG_FORMAT", "yaml"), ("GRANTOR_LISEN", "x")],
    );
    assert_eq!(
        lines,
        [
            "1:1 error: isuer is not known here (did you mean issuer?)",
            "1:1 error: \"yaml\" is not known here (known here: text, json)",
            "2:10 error: \"8080\" is no address and port, such as 127.0.0.1:8080 or [::1]:8080",
            "4:26 error: \"proxy\" is no address or network, such as 10.0.0.7 or 10.0.0.0/8",
            "6:9 error: \"inf\" is not known here (did you mean info?)",
            "0:0 warning: the environment variable GRANTOR_LISEN is not known and ignored (did you mean GRANTOR_LISTEN?)",
        ]
    );
}

#[test]
fn an_http_issuer_is_refused_off_loopback_with_a_way_out() {
    let (_, lines) = read("issuer = \"http://id.example\"\n", &[]);
    assert!(lines[0].starts_with("1:10 error:"), "{lines:?}");
    assert!(lines[0].contains("(use https: Grantor speaks TLS itself"), "{lines:?}");
}

#[test]
fn an_exposed_address_needs_tls_or_a_proxy() {
    let exposed = "listen = \"0.0.0.0:443\"\nissuer = \"https://id.example\"\n";
    let (_, lines) = read(exposed, &[]);
    assert!(lines[0].starts_with("1:10 error: listening on 0.0.0.0:443 without TLS"), "{lines:?}");
    let (configuration, lines) = read(exposed, &[("GRANTOR_PROXY_TRUSTED", "10.0.0.7, 192.168.0.0/16")]);
    assert_eq!(lines, Vec::<String>::new());
    assert_eq!(configuration.unwrap().trusted_proxies.len(), 2);
    let (_, lines) = read("listen = \"0.0.0.0:443\"\n", &[]);
    assert!(lines[0].contains("needs an issuer"), "{lines:?}");
}

#[test]
fn half_of_a_tls_configuration_is_refused() {
    let (_, lines) = read("issuer = \"https://id.example\"\n[tls]\nkey = \"key.pem\"\n", &[]);
    assert!(lines[1].starts_with("3:7 error: tls.certificate is missing beside tls.key"), "{lines:?}");
}

#[test]
fn paths_in_the_file_are_relative_to_it_and_others_are_not() {
    let (configuration, _) = read("data = \"data\"\n", &[("GRANTOR_MASTER_KEY_FILE", "key")]);
    let configuration = configuration.unwrap();
    assert_eq!(configuration.data, Path::new("/etc/grantor/data"));
    assert!(matches!(configuration.master_key, MasterKeyAt::File(path) if path == Path::new("key")));
}

#[test]
fn the_master_key_is_given_once_and_never_shown() {
    let (configuration, _) = read("", &[("GRANTOR_MASTER_KEY", "hush")]);
    let configuration = configuration.unwrap();
    assert!(!format!("{configuration:?}").contains("hush"));
    let (_, lines) = read("[master_key]\nfile = \"key\"\n", &[("GRANTOR_MASTER_KEY", "hush")]);
    assert!(lines.iter().any(|line| line.starts_with("2:8 error: the master key is given twice")), "{lines:?}");
}

#[test]
fn every_setting_can_be_overridden() {
    let sections: [(&str, &[&str]); 6] = [
        ("tls", fields_of::<file::Tls>()),
        ("mtls", fields_of::<file::Mtls>()),
        ("proxy", fields_of::<file::Proxy>()),
        ("outgoing", fields_of::<file::Outgoing>()),
        ("master_key", fields_of::<file::MasterKey>()),
        ("log", fields_of::<file::Log>()),
    ];
    let mut names: Vec<String> = Vec::new();
    for field in fields_of::<file::File>() {
        match sections.iter().find(|(section, _)| section == field) {
            Some((section, keys)) => names.extend(keys.iter().map(|key| format!("{section}.{key}"))),
            None => names.push((*field).to_owned()),
        }
    }
    let leaves: Vec<&str> = overrides::LEAVES.iter().map(|leaf| leaf.name).collect();
    assert_eq!(leaves, names);
}

#[test]
fn a_warning_stops_nothing() {
    let configuration = Configuration::read(&Flags::default(), &[]).unwrap();
    assert!(!configuration.warnings.is_empty());
    assert_eq!(configuration.warnings.errors(), 0);
}
