//! Debian's Chromium through its driver.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thirtyfour::cdp::domains::emulation::{MediaFeature, SetDeviceMetricsOverride, SetEmulatedMedia};
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::process::{Child, Command};

/// What this browser is.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub javascript: bool,
    pub size: Size,
    pub scheme: &'static str,
}

/// A window: name, width, height, whether it is a phone's.
pub type Size = (&'static str, u32, u32, bool);
pub const DESKTOP: Size = ("desktop", 1280, 900, false);
pub const PHONE: Size = ("phone", 390, 844, true);

/// chromedriver; it ends with this.
pub struct Driver {
    _process: Child,
    port: u16,
    slowest: Slowest,
}

/// What took the server longest of all that the pages' scripts asked, in milliseconds, and where.
type Slowest = Arc<Mutex<(f64, String)>>;

impl Driver {
    pub async fn start() -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().context("chromedriver (Debian's package is chromium-driver)")?;
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(Self { _process: process, port, slowest: Slowest::default() });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("chromedriver does not answer")
    }

    pub async fn browser(&self, kind: Kind) -> Result<Browser> {
        let mut capabilities = ChromeCapabilities::new();
        // No sandbox, because tests run as root in containers; nothing but pages of our own is opened.
        for argument in
            ["headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage"]
        {
            capabilities.add_arg(&format!("--{argument}"))?;
        }
        for argument in ["disable-background-networking", "disable-component-update", "disable-sync", "lang=en-US"] {
            capabilities.add_arg(&format!("--{argument}"))?;
        }
        capabilities.add_arg("--disable-features=PasswordLeakDetection,PasswordManagerOnboarding")?;
        capabilities.add_arg(&format!("--window-size={},{}", kind.size.1, kind.size.2))?;
        let mut preferences = json!({ "credentials_enable_service": false, "intl.accept_languages": "en-US,en" });
        if !kind.javascript {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        capabilities.add_experimental_option("prefs", preferences)?;
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        let web = WebDriver::new(format!("http://127.0.0.1:{}", self.port), capabilities).await?;
        let browser = Browser { web, kind, slowest: Arc::clone(&self.slowest) };
        browser.look(kind.size, kind.scheme).await?;
        Ok(browser)
    }

    /// What took the server longest, in all browsers.
    pub fn slowest(&self) -> (f64, String) {
        self.slowest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub struct Browser {
    pub web: WebDriver,
    pub kind: Kind,
    slowest: Slowest,
}

/// What Chromium says of pages that are as they are meant to be: of their own status of 4xx, and of a form with several secrets, which
/// it takes for several sign-ins.
const MEANT: [&str; 2] =
    ["the server responded with a status of 4", "Multiple forms should be contained in their own form elements"];

/// What the server says that it needed for each request of the page's scripts (Server Timing 3).
const TIMES: &str = "return performance.getEntriesByType('resource').flatMap(({ name, serverTiming }) => serverTiming
  .filter((one) => one.name === 'grantor').map(({ duration }) => [duration, new URL(name).pathname]))";

impl Browser {
    pub async fn open(&self, url: &str) -> Result<()> {
        self.note_times().await;
        Ok(self.web.goto(url).await?)
    }

    /// Looks at what the page's requests took, before it is left. A page without scripts has made none.
    pub async fn note_times(&self) {
        let Ok(said) = self.web.execute(TIMES, vec![]).await else { return };
        let times: Vec<(f64, String)> = said.convert().unwrap_or_default();
        let mut slowest = self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
        for one in times {
            if one.0 > slowest.0 {
                *slowest = one;
            }
        }
    }

    /// The first element that is there within some seconds.
    pub async fn find(&self, css: &str) -> Result<WebElement> {
        for _ in 0..100 {
            if let Ok(element) = self.web.find(By::Css(css)).await {
                return Ok(element);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let main = self.web.find(By::Css("body")).await?.text().await?;
        bail!("{css} is not on {}: {main}", self.web.current_url().await?.path())
    }

    pub async fn has(&self, css: &str) -> Result<bool> {
        Ok(!self.web.find_all(By::Css(css)).await?.is_empty())
    }

    pub async fn click(&self, css: &str) -> Result<()> {
        self.with(css, async |element| {
            element.scroll_into_view().await.ok();
            element.click().await
        })
        .await
    }

    /// Writes into a field, in the place of what stands there.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        self.with(css, async |field| {
            field.clear().await?;
            field.send_keys(text).await
        })
        .await
    }

    /// What is replaced between being found and being used is looked for again.
    async fn with(&self, css: &str, used: impl AsyncFn(&WebElement) -> WebDriverResult<()>) -> Result<()> {
        for _ in 0..20 {
            let element = self.find(css).await?;
            match used(&element).await {
                Err(why) if why.to_string().contains("stale") => tokio::time::sleep(Duration::from_millis(50)).await,
                done => return Ok(done?),
            }
        }
        bail!("{css} is replaced all the time")
    }

    pub async fn text(&self, css: &str) -> Result<String> {
        Ok(self.find(css).await?.text().await?)
    }

    /// Presses a key, wherever the focus is.
    pub async fn press(&self, keys: impl Into<TypingData>) -> Result<()> {
        Ok(self.web.action_chain().send_keys(keys).perform().await?)
    }

    /// Presses Tab until what is wanted has the focus.
    pub async fn tab_to(&self, css: &str) -> Result<()> {
        let wanted = self.find(css).await?;
        for _ in 0..40 {
            if self.web.active_element().await?.element_id() == wanted.element_id() {
                return Ok(());
            }
            self.press(Key::Tab + "").await?;
        }
        bail!("{css} cannot be reached with Tab")
    }

    /// Pictures of the page as it stands: in this browser's own shape, or in all four.
    pub async fn shoot(&self, page: &str) -> Result<()> {
        if !self.kind.javascript {
            return self.save(page, self.kind.size, self.kind.scheme).await;
        }
        for size in [DESKTOP, PHONE] {
            for scheme in ["light", "dark"] {
                self.look(size, scheme).await?;
                self.save(page, size, scheme).await?;
            }
        }
        self.look(PHONE, self.kind.scheme).await?;
        let page_is = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]";
        let (wide, window): (u32, u32) = self.web.execute(page_is, vec![]).await?.convert()?;
        self.look(self.kind.size, self.kind.scheme).await?;
        if wide > window { bail!("{page} is {wide} wide, and the phone's window {window}") } else { Ok(()) }
    }

    /// Messages in the browser's console, apart from those that are meant.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        self.note_times().await;
        let entries = self.web.browser_log().await?;
        let messages = entries.into_iter().map(|entry| entry.message);
        let is_meant = |message: &String| MEANT.iter().any(|meant| message.contains(meant));
        Ok(messages.filter(|message| !is_meant(message)).collect())
    }

    /// Takes another shape.
    pub async fn look(&self, (_, width, height, mobile): Size, scheme: &str) -> Result<()> {
        let shape = SetDeviceMetricsOverride {
            width,
            height,
            device_scale_factor: 1.0,
            mobile,
            scale: None,
            screen_orientation: None,
        };
        self.web.cdp().send(shape).await?;
        // Without motion, so that no picture is taken half-way between two colours.
        let features = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]
            .map(|(name, value)| MediaFeature { name: name.to_owned(), value: value.to_owned() });
        self.web.cdp().send(SetEmulatedMedia { media: None, features: Some(features.to_vec()) }).await?;
        Ok(())
    }

    /// The whole page, however long.
    pub async fn save(&self, page: &str, size: Size, scheme: &str) -> Result<()> {
        let folder = PathBuf::from(std::env::var_os("GRANTOR_SCREENSHOTS").unwrap_or_else(|| "screenshots".into()));
        std::fs::create_dir_all(&folder)?;
        let script = if self.kind.javascript { "" } else { "-no-javascript" };
        let file = folder.join(format!("{page}-{}-{scheme}{script}.png", size.0));
        let metrics = self.web.cdp().send_raw("Page.getLayoutMetrics", json!({})).await?;
        let page = &metrics["cssContentSize"];
        let clip = json!({ "x": 0, "y": 0, "width": page["width"], "height": page["height"], "scale": 1 });
        let asked = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = self.web.cdp().send_raw("Page.captureScreenshot", asked).await?;
        let picture = taken["data"].as_str().context("no picture")?;
        Ok(std::fs::write(file, STANDARD.decode(picture)?)?)
    }
}
