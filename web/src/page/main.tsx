import { openClient } from "../api/client";
import { mountPage } from "./mount";

const root = document.getElementById("page");
if (root) mountPage(root, openClient());
