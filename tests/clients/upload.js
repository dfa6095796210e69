// Send what remove-bg-cli 2.0.3 sends, with the library it sends it with, and read the answer as it does. The tool
// itself is in no registry: node upload.js ENDPOINT PICTURE KEY
const fs = require("fs");
const path = require("path");
const JSZip = require("jszip");
const superagent = require("superagent");

const [endpoint, picture, key] = process.argv.slice(2);
const EMPTY = ["type_level", "roi", "crop", "crop_margin", "scale", "position", "add_shadow", "semitransparency", "bg_color"];

async function upload() {
  const request = superagent
    .post(endpoint)
    .set({ "X-Api-Key": key, "User-Agent": "remove-bg-cli-2.0.3" })
    .attach("image_file", fs.createReadStream(picture), path.basename(picture));
  const fields = { size: "auto", type: "auto", format: "zip", channels: "rgba" };
  for (const [name, value] of Object.entries(fields)) request.field(name, value);
  for (const name of EMPTY) request.field(name, "");
  request.attach("bg_image_file", undefined, undefined);
  const answer = await request;
  const zip = await JSZip.loadAsync(answer.body);
  const files = {};
  for (const name of Object.keys(zip.files)) files[name] = await zip.file(name).async("base64");
  return files;
}

upload().then(
  (files) => console.log(JSON.stringify({ files })),
  (error) => {
    const retry = error.response && error.response.headers["retry-after"];
    console.log(JSON.stringify({ status: error.status, error: error.response.body.errors[0], retry }));
  },
);
