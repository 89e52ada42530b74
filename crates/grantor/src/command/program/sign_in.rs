//! Letting the user sign in: in a browser here, or on another device.

use super::progress::Waiting;
use super::screen::Screen;
use crate::failure::Result;
use grantor_client::{Ask, Client, Grant};
use std::time::Duration;

/// For so long may the user be away.
const WITHIN: Duration = Duration::from_mins(10);

/// In a browser on this machine. The address is told in any case: the browser that opens may be the wrong one.
pub(super) async fn in_browser(client: &Client, ask: &Ask, open: bool) -> Result<Grant> {
    let mut waiting = None;
    let grant = client.sign_in(ask, WITHIN, |url| {
        eprintln!("Sign in here:\n\n  {url}\n");
        if open {
            let url = url.to_string();
            // A browser in the terminal stays until the user leaves it.
            std::thread::spawn(move || drop(webbrowser::open(&url)));
        }
        waiting = Some(Waiting::for_("Waiting for the browser ..."));
    });
    let grant = grant.await;
    drop(waiting);
    Ok(grant?)
}

/// On another device (RFC 8628).
pub(super) async fn on_another_device(client: &Client, ask: &Ask) -> Result<Grant> {
    let device = client.begin_device(ask).await?;
    eprintln!(
        "On a phone or another computer, open\n\n  {}\n\nand enter the code\n\n  {}\n",
        device.verification_uri, device.user_code
    );
    let complete = device.verification_uri_complete.as_ref();
    if let Some(drawn) = complete.and_then(|uri| Screen::of_stderr()?.qr(uri.as_str())) {
        eprintln!("or scan this, and compare the code:\n\n{drawn}\n");
    }
    let waiting = Waiting::for_("Waiting for the other device ...");
    let grant = client.wait_for_device(&device, ask).await;
    drop(waiting);
    Ok(grant?)
}
