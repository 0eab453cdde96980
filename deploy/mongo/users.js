// Run once by the image, when the database is made: the one user the services have, for the product's two databases only.
db.getSiblingDB("admin").createUser({
  user: "taizhang",
  pwd: process.env.MONGO_PASSWORD,
  roles: [
    { role: "readWrite", db: "taizhang" },
    { role: "readWrite", db: "taizhang_keep" },
  ],
});
