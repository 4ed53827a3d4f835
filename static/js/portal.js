// Small helpers on data- attributes. Every page works without them.
import "./dialogs.js";
import "./forms.js";
import "./lists.js";
import "./clipboard.js";
import "./countdown.js";
import "./tabs.js";
import "./theme.js";
import "./polling.js";
import "./reading.js";

document.documentElement.classList.add("has-script");
