// Takes the authorization response out of the address bar, where nobody else shall find it, and goes on to the playground.

import { ANSWER } from "./session.js";
import { byId } from "./dom.js";

// In the implicit flow the answer is in the fragment (RFC 6749 4.2.2).
sessionStorage.setItem(ANSWER, location.search.slice(1) || location.hash.slice(1));
history.replaceState(null, "", location.pathname);
location.replace(byId("playground", HTMLAnchorElement).href);
