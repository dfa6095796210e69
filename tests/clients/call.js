// Call a function of a client and print what it gives or how it fails: node call.js MODULE FUNCTION OPTIONS
const [client, name, options] = process.argv.slice(2);
require(client)[name](JSON.parse(options)).then(
  (result) => console.log(JSON.stringify({ result })),
  (errors) => console.log(JSON.stringify({ errors })),
);
