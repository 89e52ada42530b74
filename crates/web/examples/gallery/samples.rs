//! Every page in each of its states, for the gallery and for the tests.

#[path = "samples/requests.rs"]
mod requests;

use grantor_web::{
    Account, AllowedApi, AllowedScope, App, Application, Applications, Consent, ConsentDetail, ConsentGroup,
    ConsentScope, Desk, DeskLeave, DeskLife, DeskMember, DeskNotice, DeskSecret, DeskSent, DeskSpace, DeskToken,
    DeskUse, Device, DeviceDone, DeviceError, Display, ErrorKind, ErrorPage, FormPost, Frame, Home, Language, Lifetime,
    OpenSpace, Page, Pages, Playground, PlaygroundCallback, PlaygroundDemo, PlaygroundRelay, RenderError,
    SelectAccount, SentAgain, SentAnswer, SentProblem, SentRequest, SetupAdministrator, SetupDone, SetupError, SignIn,
    SignInError, SignOut, SignedOut, TokenInspector,
};

type Render = Box<dyn Fn(&Pages, Language) -> Result<String, RenderError>>;

/// A page that can be rendered in any language.
pub(crate) struct Sample {
    /// Names the page and its state.
    pub(crate) name: String,
    /// Renders it.
    pub(crate) render: Render,
}

/// Every page in each of its states. Whatever comes from outside of the server contains `client`.
pub(crate) fn all(client: &str, frame: &Frame) -> Vec<Sample> {
    let mut samples = Vec::new();
    sign_in(client, frame, &mut samples);
    consent(client, frame, &mut samples);
    error(client, frame, &mut samples);
    sign_out(client, frame, &mut samples);
    applications(client, frame, &mut samples);
    setup(client, frame, &mut samples);
    devices(client, frame, &mut samples);
    desk(client, frame, &mut samples);
    requests::all(client, frame, &mut samples);
    playground(frame, &mut samples);
    others(client, frame, &mut samples);
    samples
}

/// The frame of the gallery.
pub(crate) fn frame() -> Frame {
    Frame { request_id: Some("01JD7M3V9K2QX".to_owned()), ..Frame::new("Northwind") }
}

fn add(samples: &mut Vec<Sample>, name: &str, frame: &Frame, page: impl Page + 'static) {
    let frame = frame.clone();
    let render = move |pages: &Pages, language| pages.render(&page, &frame, language);
    samples.push(Sample { name: name.to_owned(), render: Box::new(render) });
}

fn sign_in(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let page = SignIn {
        application: Some(client.to_owned()),
        username: String::new(),
        error: None,
        interaction: "interaction".into(),
        csrf: "csrf".into(),
        action: "/sign-in".to_owned(),
    };
    add(samples, "sign-in", frame, page.clone());
    add(samples, "sign-in-direct", frame, SignIn { application: None, ..page.clone() });
    let again = SignIn { username: client.to_owned(), ..page.clone() };
    for (name, error) in [
        ("sign-in-wrong", SignInError::WrongCredentials),
        ("sign-in-throttled", SignInError::Throttled { seconds: 150 }),
        ("sign-in-expired", SignInError::Expired),
    ] {
        add(samples, name, frame, SignIn { error: Some(error), ..again.clone() });
    }
    for (name, display) in
        [("sign-in-popup", Display::Popup), ("sign-in-touch", Display::Touch), ("sign-in-wap", Display::Wap)]
    {
        add(samples, name, &Frame { display, ..frame.clone() }, page.clone());
    }
}

fn consent(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let scope = |name: &str, text: &str| ConsentScope {
        name: name.to_owned(),
        text: text.to_owned(),
        already_granted: false,
        checked: true,
        required: false,
    };
    let own = ConsentGroup {
        api_name: frame.tenant_name.clone(),
        audience: String::new(),
        scopes: vec![
            ConsentScope { required: true, ..scope("openid", "Know who you are") },
            ConsentScope { already_granted: true, ..scope("email", "See your e-mail address") },
        ],
        details: Vec::new(),
    };
    let api = ConsentGroup {
        api_name: "Orders".to_owned(),
        audience: "https://orders.northwind.example".to_owned(),
        scopes: vec![
            scope("orders:read", "See your orders and what became of them"),
            ConsentScope { checked: false, ..scope("orders:write", "Place and cancel orders in your name") },
            scope(client, ""),
        ],
        details: vec![ConsentDetail {
            id: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg".to_owned(),
            text: format!("Pay EUR 123.50 to {client}"),
            kind: "payment_initiation".to_owned(),
        }],
    };
    let page = Consent {
        application: application(client),
        redirect_host: Some("ledgerly.example".to_owned()),
        user_code: None,
        document_host: None,
        local_only: false,
        user: account(client),
        switch_account: Some("/sign-in?switch".to_owned()),
        groups: vec![own.clone(), api],
        lifetime: Lifetime::Limited { seconds: 365 * 86_400 },
        interaction: "interaction".into(),
        csrf: "csrf".into(),
        action: "/consent".to_owned(),
    };
    add(samples, "consent", frame, page.clone());
    let bare = Application { name: client.to_owned(), ..Application::default() };
    let once = Lifetime::Once { seconds: 600 };
    add(
        samples,
        "consent-bare",
        frame,
        Consent { application: bare, groups: vec![own], lifetime: once, switch_account: None, ..page.clone() },
    );
    let documented = Consent { document_host: Some(client.to_owned()), ..page.clone() };
    add(samples, "consent-document", frame, documented);
    add(
        samples,
        "consent-local",
        frame,
        Consent { local_only: true, redirect_host: Some("127.0.0.1:8080".to_owned()), ..page.clone() },
    );
    add(samples, "consent-until-revoked", frame, Consent { lifetime: Lifetime::UntilRevoked, ..page });
}

fn error(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    for kind in ErrorKind::ALL {
        add(samples, &format!("error-{kind:?}").to_lowercase(), frame, ErrorPage::new(kind));
    }
    let full = ErrorPage {
        code: Some("invalid_request".to_owned()),
        detail: Some(format!("{client}: response_type is missing")),
        back: Some("/".to_owned()),
        ..ErrorPage::new(ErrorKind::InvalidRequest)
    };
    add(samples, "error-full", frame, full);
}

fn sign_out(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let page = SignOut {
        application: Some(client.to_owned()),
        interaction: Some("interaction".into()),
        csrf: "csrf".into(),
        action: "/sign-out".to_owned(),
    };
    let frame_of_user = Frame { signed_in: Some("ada".to_owned()), ..frame.clone() };
    add(samples, "sign-out", &frame_of_user, page.clone());
    add(samples, "sign-out-direct", frame, SignOut { application: None, interaction: None, ..page });
    let page = SignedOut {
        application: Some(client.to_owned()),
        return_to: Some("https://ledgerly.example/bye".to_owned()),
        sign_in: Some("/sign-in".to_owned()),
    };
    add(samples, "signed-out", frame, page.clone());
    add(samples, "signed-out-unnamed", frame, SignedOut { application: None, ..page.clone() });
    add(samples, "signed-out-direct", frame, SignedOut { application: None, return_to: None, ..page });
}

fn applications(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let scope = |name: &str, text: &str| AllowedScope { name: name.to_owned(), text: text.to_owned() };
    let own = AllowedApi {
        api_name: frame.tenant_name.clone(),
        audience: String::new(),
        scopes: vec![scope("openid", "Know who you are"), scope(client, "")],
    };
    let orders = AllowedApi {
        api_name: "Orders".to_owned(),
        audience: "https://orders.northwind.example".to_owned(),
        scopes: vec![scope("orders:read", "See your orders and what became of them")],
    };
    let app = App {
        client_id: "c1".to_owned(),
        application: application(client),
        first_granted: 1_762_000_000,
        last_used: Some(1_763_700_000),
        groups: vec![own, orders],
        grants: 2,
    };
    let bare = Application { name: "Terminal".to_owned(), ..Application::default() };
    let never = App { client_id: "c2".to_owned(), application: bare, last_used: None, grants: 1, ..app.clone() };
    let page = Applications {
        user: account(client),
        apps: vec![app, never],
        revoked: None,
        csrf: "csrf".into(),
        action: "/apps/revoke".to_owned(),
        home: Some("/".to_owned()),
        sign_out: Some("/sign-out".to_owned()),
    };
    add(samples, "apps", frame, page.clone());
    add(samples, "apps-revoked", frame, Applications { revoked: Some(client.to_owned()), ..page.clone() });
    add(samples, "apps-empty", frame, Applications { apps: Vec::new(), home: None, sign_out: None, ..page });
}

fn setup(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let page = SetupAdministrator {
        token: "token".into(),
        username: String::new(),
        minimum_length: 12,
        error: None,
        csrf: "csrf".into(),
        action: "/setup".to_owned(),
    };
    add(samples, "setup", frame, page.clone());
    for (name, error) in [
        ("setup-username", SetupError::UsernameRefused),
        ("setup-differ", SetupError::PasswordsDiffer),
        ("setup-short", SetupError::PasswordTooShort),
        ("setup-long", SetupError::PasswordTooLong),
        ("setup-common", SetupError::PasswordCommon),
        ("setup-expired", SetupError::Expired),
    ] {
        add(
            samples,
            name,
            frame,
            SetupAdministrator { error: Some(error), username: client.to_owned(), ..page.clone() },
        );
    }
    add(samples, "setup-done", frame, SetupDone { username: client.to_owned(), continue_to: "/sign-in".to_owned() });
}

fn devices(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let page = Device {
        user_code: String::new(),
        came_with_link: false,
        error: None,
        csrf: "csrf".into(),
        action: "/device".to_owned(),
    };
    add(samples, "device", frame, page.clone());
    let given = Device { user_code: "BCDF-GHJK".to_owned(), ..page };
    add(samples, "device-link", frame, Device { came_with_link: true, ..given.clone() });
    for (name, error) in
        [("device-unknown", DeviceError::Unknown), ("device-throttled", DeviceError::Throttled { seconds: 8 })]
    {
        add(samples, name, frame, Device { error: Some(error), ..given.clone() });
    }
    for (name, allowed) in [("device-allowed", true), ("device-denied", false)] {
        add(samples, name, frame, DeviceDone { application: client.to_owned(), allowed });
    }
}

fn desk(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let own = DeskToken {
        id: "i1".to_owned(),
        name: client.to_owned(),
        issuer: client.to_owned(),
        client: client.to_owned(),
        user: client.to_owned(),
        scopes: vec!["notes:read".to_owned(), client.to_owned()],
        life: Some(DeskLife { whole: 600, left: 250 }),
        own: true,
        managed: true,
        shared: true,
        usable: false,
        renewable: true,
        uses: vec![DeskUse { by: client.to_owned(), at: 1_763_700_000, scope: client.to_owned() }],
    };
    let lent =
        DeskToken { id: "i2".to_owned(), own: false, managed: false, usable: true, renewable: false, ..own.clone() };
    let over = DeskToken {
        id: "i3".to_owned(),
        life: Some(DeskLife { whole: 600, left: 0 }),
        shared: false,
        uses: Vec::new(),
        ..own.clone()
    };
    let unknown = DeskToken { id: "i4".to_owned(), life: None, scopes: Vec::new(), renewable: false, ..over.clone() };
    let member =
        |right, dismissible| DeskMember { id: "m".to_owned(), username: client.to_owned(), right, dismissible };
    let open = OpenSpace {
        id: "w1".to_owned(),
        name: client.to_owned(),
        manages: true,
        owns: true,
        sharing: true,
        members: vec![member("own", false), member("manage", true), member("use", true), member("view", true)],
        tokens: vec![own, lent, over, unknown],
    };
    let space = |id: &str, current| DeskSpace { id: id.to_owned(), name: client.to_owned(), current };
    let page = Desk {
        user: account(client),
        spaces: vec![space("w1", true), space("w2", false)],
        open: Some(open.clone()),
        notice: Some(DeskNotice::NotShareable),
        sharing_allowed: true,
        csrf: "csrf".into(),
        base: "/desk".to_owned(),
        requests: "/desk/requests?workspace=w1".to_owned(),
        rights: vec!["view", "use", "manage"],
        home: "/".to_owned(),
        sign_out: "/sign-out".to_owned(),
    };
    add(samples, "desk", frame, page.clone());
    let guest = OpenSpace { manages: false, owns: false, sharing: false, tokens: Vec::new(), ..open };
    add(samples, "desk-guest", frame, Desk { open: Some(guest), sharing_allowed: false, ..page.clone() });
    add(samples, "desk-empty", frame, Desk { open: None, spaces: Vec::new(), notice: None, ..page });
    let secret = DeskSecret {
        name: client.to_owned(),
        access_token: "access-token".into(),
        refresh_token: Some("refresh-token".into()),
        id_token: Some("id-token".into()),
        back: "/desk".to_owned(),
    };
    add(samples, "desk-token", frame, secret);
    sending(client, frame, samples);
}

fn sending(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let headers =
        vec![("Authorization".to_owned(), format!("{client} ••••••")), (client.to_owned(), client.to_owned())];
    let page = DeskSent {
        name: client.to_owned(),
        request: Some(SentRequest {
            method: "POST".to_owned(),
            url: format!("https://api.example.com/{client}"),
            headers: headers.clone(),
            body: vec!["{".to_owned(), client.to_owned(), "}".to_owned()],
        }),
        answer: Some(SentAnswer { status: 200, headers, body: vec![client.to_owned(); 2], own: 2, other: 31 }),
        problem: None,
        about: String::new(),
        again: Some(SentAgain {
            workspace: "w1".to_owned(),
            item: "i1".to_owned(),
            at: "0.2".to_owned(),
            environment: String::new(),
            token: "settings".to_owned(),
        }),
        csrf: "csrf".into(),
        action: "/desk/send".to_owned(),
        back: "/desk/collection".to_owned(),
    };
    add(samples, "desk-sent", frame, page.clone());
    let unlisted =
        DeskSent { answer: None, problem: Some(SentProblem::Unlisted), about: client.to_owned(), ..page.clone() };
    add(samples, "desk-sent-unlisted", frame, unlisted);
    let not = DeskSent { request: None, answer: None, again: None, problem: Some(SentProblem::Bound), ..page };
    add(samples, "desk-sent-not", frame, not);
    let leave = DeskLeave {
        origin: client.to_owned(),
        url: "https://id.example.com/authorize".to_owned(),
        back: "/desk/collection".to_owned(),
    };
    add(samples, "desk-leave", frame, leave);
}

fn playground(frame: &Frame, samples: &mut Vec<Sample>) {
    let page = Playground {
        issuer: "https://id.northwind.example".to_owned(),
        base: String::new(),
        redirect_uri: "https://id.northwind.example/playground/callback".to_owned(),
        desk: false,
        relay: None,
        demo: None,
    };
    add(samples, "playground", frame, page.clone());
    let relay = PlaygroundRelay {
        at: "/playground/relay".to_owned(),
        origins: vec!["https://idp.example".to_owned(), "https://login.example:8443".to_owned()],
        loopback: false,
    };
    add(samples, "playground-relay", frame, Playground { relay: Some(relay.clone()), ..page.clone() });
    let demo = PlaygroundDemo {
        client_id: "playground".to_owned(),
        scope: "openid notes:read".to_owned(),
        victim: "playground-victim".to_owned(),
        api: "https://id.northwind.example/demo/notes".to_owned(),
        machine: "demo-machine".to_owned(),
        machine_scope: "notes:read".to_owned(),
        clients: "[]".to_owned(),
    };
    add(samples, "playground-demo", frame, Playground { desk: true, demo: Some(demo), ..page });
    add(samples, "playground-callback", frame, PlaygroundCallback { playground: "/playground".to_owned() });
    let inspector = TokenInspector {
        issuer: "https://id.northwind.example".to_owned(),
        playground: "/playground".to_owned(),
        relay: Some(relay),
    };
    add(samples, "token-inspector", frame, inspector);
}

fn others(client: &str, frame: &Frame, samples: &mut Vec<Sample>) {
    let page = SelectAccount {
        application: Some(client.to_owned()),
        account: account(client),
        interaction: "interaction".into(),
        csrf: "csrf".into(),
        action: "/account".to_owned(),
    };
    add(samples, "select-account", frame, page.clone());
    add(samples, "select-account-direct", frame, SelectAccount { application: None, ..page });
    let page = Home {
        issuer: "https://id.northwind.example".to_owned(),
        user: Some(account(client)),
        applications: "/apps".to_owned(),
        metadata: "/.well-known/oauth-authorization-server".to_owned(),
        desk: Some("/desk".to_owned()),
        playground: None,
        sign_in: Some("/sign-in".to_owned()),
        sign_out: Some("/sign-out".to_owned()),
    };
    add(samples, "home", frame, page.clone());
    let home = Home { playground: Some("/playground".to_owned()), ..page.clone() };
    add(samples, "home-signed-out", frame, Home { user: None, ..home });
    add(samples, "home-bare", frame, Home { user: None, sign_in: None, desk: None, ..page });
    let fields = vec![("code".to_owned(), "code".into()), ("state".to_owned(), client.into())];
    add(samples, "form-post", frame, FormPost { action: "https://ledgerly.example/callback".to_owned(), fields });
}

fn account(client: &str) -> Account {
    Account { name: format!("Ada of {client}"), username: "ada@northwind.example".to_owned() }
}

fn application(client: &str) -> Application {
    Application {
        name: client.to_owned(),
        uri: Some("https://ledgerly.example".to_owned()),
        logo: Some("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' rx='2' fill='%23c9532f'/%3E%3Cpath d='M3 2v4h2.500' stroke='%23fff' fill='none'/%3E%3C/svg%3E".to_owned()),
        policy: Some("https://ledgerly.example/privacy".to_owned()),
        terms: Some("https://ledgerly.example/terms".to_owned()),
    }
}
