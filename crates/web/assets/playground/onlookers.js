// Who looks on when a flow takes its course: each is called after every answer, and adds to the page what it has to say.

import { complainOf } from "./findings.js";
import { offerAttacks } from "./attacks-page.js";
import { learn } from "./lesson-page.js";
import { takeAlong } from "./snippets-page.js";
import { timed } from "./server.js";

/** @import { Course, Exchange } from "./course.js" */

/** @type {((course: Course, exchange: Exchange, card: HTMLElement) => void)[]} */
export const ONLOOKERS = [timed, complainOf, offerAttacks, takeAlong, learn];
