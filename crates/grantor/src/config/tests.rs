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
    let sections: [(&str, &[&str]); 9] = [
        ("tls", fields_of::<file::Tls>()),
        ("mtls", fields_of::<file::Mtls>()),
        ("proxy", fields_of::<file::Proxy>()),
        ("outgoing", fields_of::<file::Outgoing>()),
        ("playground", fields_of::<file::Playground>()),
        ("master_key", fields_of::<file::MasterKey>()),
        ("log", fields_of::<file::Log>()),
        ("metrics", fields_of::<file::Metrics>()),
        ("audit", fields_of::<file::Audit>()),
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

/// What `[mtls]` comes to when this machine has the files.
fn with_files(text: &str) -> (Option<Configuration>, Vec<String>) {
    let scratch = crate::scratch::Scratch::new().unwrap();
    for name in ["chain.pem", "key.pem", "other.pem", "roots.pem"] {
        std::fs::write(scratch.path().join(name), "").unwrap();
    }
    let mut problems = Problems::default();
    let source = Source::new("grantor.toml", text);
    let tree = source.parse(Format::Toml, &[], &mut problems).unwrap();
    let configuration = check::settle(tree, &source, scratch.path(), &[], &mut problems);
    (configuration, problems.sorted().lines())
}

#[test]
fn rfc8705_2_the_listener_for_mutual_tls_has_the_certificate_of_the_other_unless_it_has_its_own() {
    let own = "issuer = \"https://id.example\"\n[tls]\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n[mtls]\nlisten = \"127.0.0.1:8443\"\n";
    let (configuration, lines) = with_files(own);
    assert_eq!(lines, Vec::<String>::new());
    let mtls = configuration.unwrap().mtls;
    assert_eq!(mtls.public_url.as_deref(), Some("https://id.example:8443"));
    assert!(mtls.listen.as_ref().unwrap().tls.certificate.ends_with("chain.pem"));
    assert!(mtls.settings().is_some());
    let (configuration, lines) = with_files(&format!(
        "{own}certificate = \"other.pem\"\nkey = \"key.pem\"\nclient_roots = \"roots.pem\"\npublic_url = \"https://mtls.id.example/\"\n"
    ));
    assert_eq!(lines, Vec::<String>::new());
    let mtls = configuration.unwrap().mtls;
    assert_eq!(mtls.public_url.as_deref(), Some("https://mtls.id.example"));
    assert!(mtls.listen.unwrap().tls.certificate.ends_with("other.pem"));
    assert!(mtls.client_roots.unwrap().ends_with("roots.pem"));
}

#[test]
fn what_is_wrong_with_the_listener_for_mutual_tls_is_said() {
    let with = |text: &str| with_files(text).1;
    let bare = with("[mtls]\nlisten = \"127.0.0.1:8443\"\n");
    assert!(bare.contains(&"2:10 error: the listener for mutual TLS needs a certificate of the server (give mtls.certificate and mtls.key, or those of [tls])".to_owned()), "{bare:?}");
    let files = "certificate = \"chain.pem\"\nkey = \"key.pem\"\n";
    let free = with(&format!("[mtls]\nlisten = \"127.0.0.1:0\"\n{files}"));
    assert!(free.iter().any(|line| line.starts_with("2:10 error: with port 0")), "{free:?}");
    for url in ["http://id.example", "https://id.example/mtls", "https://a@id.example", "id.example"] {
        let found = with(&format!("[mtls]\npublic_url = \"{url}\"\nlisten = \"127.0.0.1:8443\"\n{files}"));
        assert!(found.iter().any(|line| line.starts_with("2:14 error:")), "{url}: {found:?}");
    }
    let half = with("[mtls]\nlisten = \"127.0.0.1:8443\"\nkey = \"key.pem\"\n");
    assert!(half.contains(&"3:7 error: mtls.certificate is missing beside mtls.key".to_owned()), "{half:?}");
    let idle = with("[mtls]\nclient_roots = \"roots.pem\"\n");
    assert!(idle.contains(&"2:16 warning: mtls.client_roots says nothing without mtls.listen".to_owned()), "{idle:?}");
    let none = with("[mtls]\nclient_roots = \"missing.pem\"\n");
    assert!(none.iter().any(|line| line.starts_with("2:16 error: there is no file")), "{none:?}");
}

#[test]
fn rfc9440_3_client_cert_is_believed_from_somebody() {
    let (_, lines) = read("[proxy]\nclient_cert_header = true\n", &[]);
    assert!(lines.iter().any(|line| line.starts_with("2:22 error: client_cert_header believes")), "{lines:?}");
    let proxied = "issuer = \"https://id.example\"\n[proxy]\ntrusted = [\"10.0.0.7\"]\n[mtls]\npublic_url = \"https://mtls.id.example\"\n";
    let (configuration, lines) = read(proxied, &[("GRANTOR_PROXY_CLIENT_CERT_HEADER", "true")]);
    assert_eq!(lines, Vec::<String>::new());
    let settings = configuration.unwrap().settings();
    assert!(settings.client_cert_header);
    assert_eq!(settings.mtls.unwrap().public_url.as_deref(), Some("https://mtls.id.example"));
}

#[test]
fn forward_authentication_is_off_and_answers_somebody() {
    let (_, lines) = read("[proxy]\nforward_auth = true\n", &[]);
    assert!(lines.iter().any(|line| line.starts_with("2:16 error: forward_auth answers")), "{lines:?}");
    let proxied = "issuer = \"https://id.example\"\n[proxy]\ntrusted = [\"10.0.0.7\"]\n";
    let (configuration, _) = read(proxied, &[]);
    assert!(!configuration.unwrap().settings().forward_auth);
    let (configuration, lines) = read(proxied, &[("GRANTOR_PROXY_FORWARD_AUTH", "true")]);
    assert_eq!(lines, Vec::<String>::new());
    assert!(configuration.unwrap().settings().forward_auth);
}

#[test]
fn a_flag_is_true_or_false() {
    let (configuration, _) = read("", &[("GRANTOR_TLS_FAPI", "true")]);
    assert!(configuration.unwrap().settings().fapi_tls);
    let (_, lines) = read("", &[("GRANTOR_TLS_FAPI", "yes")]);
    assert!(lines[0].starts_with("1:1 error: this cannot be text"), "{lines:?}");
}

#[test]
fn what_tests_need_of_outgoing_requests_is_off_and_said_aloud_when_it_is_on() {
    let (configuration, _) = read("", &[]);
    let outgoing = configuration.unwrap().outgoing();
    assert!(outgoing.extra_roots.is_empty() && outgoing.allowed_networks.is_empty());
    let (configuration, lines) = read("[outgoing]\nallowed_networks = [\"127.0.0.0/8\", \"10.0.0.7\"]\n", &[]);
    assert!(lines.iter().any(|line| line.starts_with("2:20 warning: whoever registers a client")), "{lines:?}");
    assert_eq!(configuration.unwrap().outgoing().allowed_networks.len(), 2);

    let scratch = crate::scratch::Scratch::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.pem();
    std::fs::write(scratch.path().join("two.pem"), format!("{made}{made}")).unwrap();
    std::fs::write(scratch.path().join("none.pem"), "no certificate").unwrap();
    let with = |name: &str| {
        let path = scratch.path().join(name);
        read("", &[("GRANTOR_OUTGOING_EXTRA_CA", path.to_str().unwrap())])
    };
    let (configuration, lines) = with("two.pem");
    assert!(lines.iter().any(|line| line.starts_with("1:1 warning: whoever has a key")), "{lines:?}");
    assert_eq!(configuration.unwrap().outgoing().extra_roots.len(), 2);
    assert!(with("none.pem").1[0].contains("holds no certificate in PEM form"));
    assert!(with("missing.pem").1[0].contains("there is no file"));
}

#[test]
fn the_url_of_a_database_is_never_shown_with_its_password() {
    for url in ["postgres://grantor:hush@db.example/grantor", "mysql://grantor:hush@db.example", "hush"] {
        let (configuration, lines) = read(&format!("database = \"{url}\"\nmigrate = \"manuel\"\n"), &[]);
        assert!(!format!("{configuration:?} {lines:?}").contains("hush"), "{lines:?}");
        let (configuration, lines) = read("", &[("GRANTOR_DATABASE", url)]);
        assert!(!format!("{configuration:?} {lines:?}").contains("hush"), "{lines:?}");
        let wrong = lines.iter().any(|line| line.contains("database is no URL of a PostgreSQL database"));
        assert_eq!(wrong, !url.starts_with("postgres:"), "{lines:?}");
        if let Some(configuration) = configuration.filter(|_| !wrong) {
            let shown = configuration.shown.iter().find(|shown| shown.name == "database").unwrap();
            assert_eq!(shown.value, "postgres://grantor:***@db.example/grantor");
        }
    }
}

#[test]
fn what_is_said_of_a_database_needs_one() {
    let (_, lines) = read("migrate = \"manual\"\ndatabase_password_file = \"x\"\n", &[]);
    assert!(lines.iter().any(|line| line.starts_with("1:11 error: migrate says nothing")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("2:26 error: database_password_file says")), "{lines:?}");
    let (_, lines) = with_files("database = \"postgres://a:hush@h\"\ndatabase_password_file = \"key.pem\"\n");
    assert!(
        lines.iter().any(|line| line.starts_with("2:26 error: the password of the database is given")),
        "{lines:?}"
    );
    let (configuration, _) = with_files("database = \"postgres://a@h\"\nmigrate = \"manual\"\n");
    assert!(!configuration.unwrap().cluster.unwrap().migrates);
}

#[test]
fn other_servers_of_the_playground_are_origins() {
    let (configuration, lines) =
        read("[playground]\nissuers = [\"https://idp.example\", \"http://localhost:9000\"]\n", &[]);
    assert_eq!(lines.iter().filter(|line| line.contains("idp")).count(), 0, "{lines:?}");
    let settings = configuration.unwrap().settings();
    let named: Vec<_> = settings.relay.named().iter().map(grantor_fetch::Origin::as_str).collect();
    assert_eq!(named, ["https://idp.example", "http://localhost:9000"]);
    assert!(!settings.relay.loopback());
    let (none, _) = read("", &[]);
    assert!(none.unwrap().settings().relay.is_empty(), "nobody, unless it is said");
    for wrong in ["https://idp.example/", "https://*.example", "http://idp.example", "https://idp.example/realm", "*"] {
        let (_, lines) = read(&format!("[playground]\nissuers = [\"{wrong}\"]\n"), &[]);
        assert!(lines[0].starts_with("2:12 error:") && lines[0].contains("is no https origin"), "{wrong}: {lines:?}");
    }
}
