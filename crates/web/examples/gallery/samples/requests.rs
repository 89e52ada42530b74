//! Saved requests and environments.

use super::{Sample, account, add};
use grantor_web::{
    AboutForm, DeskCollection, DeskEnvironment, DeskExport, DeskNotice, DeskRequests, DeskSpace, Frame, ParameterRow,
    PlaceForm, PlainRow, RequestForm, SavedFault, SavedFrame, SavedItem, SecretRow, SettingsForm, TreeNode,
    VariablesForm,
};

pub(super) fn all(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    listed(client, frame, samples);
    collection(client, frame, samples);
    environment(client, frame, samples);
    let export = DeskExport {
        desk: desk(client),
        name: client.to_owned(),
        notes: vec![client.to_owned(), "/variables/key: it is written without its value".to_owned()],
        text: Some(client.to_owned()),
        link: "/desk/export?workspace=w1&item=i1&to=postman&download=yes".to_owned(),
    };
    add(samples, "desk-export", frame, export.clone());
    add(samples, "desk-imported", frame, DeskExport { text: None, ..export.clone() });
    add(samples, "desk-imported-whole", frame, DeskExport { text: None, notes: Vec::new(), ..export });
}

fn listed(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let page = DeskRequests {
        desk: desk(client),
        spaces: vec![space("w1", client, true), space("w2", client, false)],
        open: true,
        manages: true,
        collections: vec![item(client), lent(client)],
        environments: vec![SavedItem { shared: false, seen: false, ..item(client) }],
    };
    add(samples, "desk-requests", frame, page.clone());
    let nobody = SavedFrame { notice: None, workspace: String::new(), ..desk(client) };
    let empty = DeskRequests { desk: nobody, spaces: Vec::new(), open: false, manages: false, ..page };
    add(samples, "desk-requests-empty", frame, empty);
}

fn collection(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let request = PlaceForm::Request { about: about(client, "inherited"), request: request(client, "text") };
    let page = DeskCollection {
        desk: SavedFrame { notice: None, ..desk(client) },
        item: item(client),
        tree: tree(client),
        at: "0.0".to_owned(),
        form: request,
        fault: None,
        in_force: Some(client.to_owned()),
        environments: vec![space("e1", client, true)],
        tokens: vec![space("t1", client, false)],
        redirect_uri: "https://id.northwind.example/desk/callback".to_owned(),
        grant_types: vec!["authorization_code", "client_credentials"],
        authentication_methods: vec!["client_secret_basic", "none"],
    };
    add(samples, "desk-request", frame, page.clone());
    let lent = DeskCollection { item: lent(client), ..page.clone() };
    add(samples, "desk-request-of-another", frame, lent);
    let form = PlaceForm::Request { about: about(client, "none"), request: self::request(client, "form") };
    let fault = Some(SavedFault::Method);
    add(samples, "desk-request-wrong", frame, DeskCollection { form, fault, ..page.clone() });
    let form = PlaceForm::Folder { about: about(client, "settings") };
    add(samples, "desk-folder", frame, DeskCollection { form, at: "0".to_owned(), ..page.clone() });
    let form = PlaceForm::Collection { about: about(client, "settings"), variables: variables(client) };
    let whole = DeskCollection { form, at: String::new(), tree: Vec::new(), in_force: None, ..page };
    add(samples, "desk-collection", frame, whole.clone());
    for fault in SavedFault::ALL {
        let name = format!("desk-collection-{fault:?}-wrong").to_lowercase();
        add(samples, &name, frame, DeskCollection { fault: Some(fault), ..whole.clone() });
    }
}

fn environment(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let page = DeskEnvironment {
        desk: desk(client),
        item: item(client),
        name: client.to_owned(),
        variables: variables(client),
        fault: None,
    };
    add(samples, "desk-environment", frame, page.clone());
    add(samples, "desk-environment-of-another", frame, DeskEnvironment { item: lent(client), ..page.clone() });
    let fault = Some(SavedFault::Variable);
    add(samples, "desk-environment-wrong", frame, DeskEnvironment { fault, ..page });
}

fn desk(client: &str) -> SavedFrame {
    SavedFrame {
        user: account(client),
        csrf: "csrf".into(),
        base: "/desk".to_owned(),
        workspace: "w1".to_owned(),
        notice: Some(DeskNotice::Changed),
        sharing_allowed: true,
        sign_out: "/sign-out".to_owned(),
    }
}

fn space(id: &str, client: &str, current: bool) -> DeskSpace {
    DeskSpace { id: id.to_owned(), name: client.to_owned(), current }
}

fn item(client: &str) -> SavedItem {
    SavedItem {
        id: "i1".to_owned(),
        version: 1,
        name: client.to_owned(),
        own: true,
        managed: true,
        shared: true,
        seen: true,
    }
}

fn lent(client: &str) -> SavedItem {
    SavedItem { id: "i2".to_owned(), own: false, managed: false, ..item(client) }
}

fn tree(client: &str) -> Vec<TreeNode> {
    let node = |at: &str, method: Option<&str>, children| TreeNode {
        at: at.to_owned(),
        name: client.to_owned(),
        method: method.map(str::to_owned),
        current: at == "0.0",
        children,
    };
    let inner = vec![node("0.0", Some("GET"), Vec::new()), node("0.1", None, vec![node("0.1.0", None, Vec::new())])];
    vec![node("0", None, inner), node("1", Some("POST"), Vec::new())]
}

fn about(client: &str, token: &str) -> AboutForm {
    let text = || client.to_owned();
    let parameter = |request: &str, place: &str| ParameterRow {
        request: request.to_owned(),
        name: client.to_owned(),
        value: client.to_owned(),
        place: place.to_owned(),
    };
    let settings = SettingsForm {
        name: text(),
        grant_type: "client_credentials".to_owned(),
        issuer: text(),
        client_id: text(),
        client_secret: "client_secret".to_owned(),
        client_authentication: "client_secret_basic".to_owned(),
        scope: text(),
        resource: text(),
        use_token: "access_token".to_owned(),
        header_prefix: "Bearer".to_owned(),
        parameters: vec![parameter("token", "header"), parameter("authorization", "query"), ParameterRow::default()],
        ..SettingsForm::default()
    };
    AboutForm { name: text(), description: text(), token: token.to_owned(), settings }
}

fn request(client: &str, body: &str) -> RequestForm {
    RequestForm {
        method: "POST".to_owned(),
        url: format!("https://api.northwind.example/{client}"),
        headers: rows(client),
        body: body.to_owned(),
        text: client.to_owned(),
        fields: rows(client),
    }
}

fn rows(client: &str) -> Vec<PlainRow> {
    vec![PlainRow { name: client.to_owned(), value: client.to_owned() }, PlainRow::default()]
}

fn variables(client: &str) -> VariablesForm {
    let secret = |is_set| SecretRow { name: client.to_owned(), was: client.to_owned(), is_set };
    VariablesForm { plain: rows(client), secret: vec![secret(true), secret(false), SecretRow::default()] }
}
