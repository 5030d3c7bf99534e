#include "web/site_verbs.h"

#include <fmt/format.h>

namespace greffe::web {
namespace {

constexpr std::uint64_t kMaxCodeFileBytes = 16 * 1024;

Result<int> said(const SiteVerbs& verbs, const Json& answer, const std::string& words) {
  fmt::print("{}\n", verbs.json ? write_json(answer) : words);
  return kExitDone;
}

Result<int> make_reader_code(const SiteVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("reader-code", Json().set("name", verbs.name)));
  return verbs.deliver_code(verbs.code_file, answer);
}

Result<int> revoke(const SiteVerbs& verbs, const std::string& verb, const std::string& words) {
  const Json answer = GREFFE_TRY(verbs.ask(verb, Json().set("name", verbs.name).set("why", verbs.why)));
  return said(verbs, answer, words);
}

Result<int> add_site(SiteVerbs& verbs) {
  const Bytes code = GREFFE_TRY(verbs.files.read_file(verbs.code_file, kMaxCodeFileBytes));
  const Json answer = GREFFE_TRY(verbs.ask("site-add", Json().set("code", as_text(code))));
  const std::string name = GREFFE_TRY(answer.string("name"));
  return said(verbs, answer, "What no volume of this archive has any more is fetched from " + name + ", as soon as somebody plays it or a scrub finds it.");
}

Result<int> list_sites(const SiteVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("site-list", Json()));
  if (verbs.json) return said(verbs, answer, "");
  fmt::print("{:<32} {}\n", "SITE", "ADDRESS");
  const Json::Array sites = GREFFE_TRY(answer.array("sites"));
  for (const Json& site : sites) fmt::print("{:<32} {}\n", GREFFE_TRY(site.string("name")), GREFFE_TRY(site.string("address")));
  return kExitDone;
}

Result<int> remove_site(const SiteVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("site-remove", Json().set("name", verbs.name)));
  return said(verbs, answer, "Nothing is fetched from " + verbs.name + " any more. There, `origin reader-revoke` ends this archive's key.");
}

}  // namespace

void SiteVerbs::define(CommandLine& line, Verb& origin, Verb& cosigner) {
  const auto revocation = [this](Verb& verb, const char* of) -> Verb& {
    return verb.required("--name", name, of, "NAME").required("--why", why, "retired or stolen", "WHY").json(json);
  };
  revocation(origin.verb("revoke", "take nothing more from such an archive's replicator; what is held stays"), "the archive").body([this] {
    return revoke(*this, "origin-revoke", "Nothing of " + name + " is taken any more. What is held stays; `origin add --renew` makes a code for another key.");
  });
  revocation(cosigner.verb("revoke", "believe no confirmation of a site any more, and hear no more from the replicator that brought them"),
             "the name of its cosigning key").body([this] {
    return revoke(*this, "cosigner-revoke", "Confirmations of " + name + " count for nothing from now on.");
  });
  origin.verb("reader-code", "make a code with which such an archive may read what it recorded, object by object, and nothing else")
      .required("--name", name, "its name", "ARCHIVE").option("--code-file", code_file, "write the code here (mode 0600)", "FILE")
      .body([this] { return make_reader_code(*this); });
  revocation(origin.verb("reader-revoke", "end the key that such a code led to"), "the archive").body([this] {
    return revoke(*this, "reader-revoke", name + " may read nothing here any more.");
  });
  Verb& site = line.verb("site", "other sites from which what is lost here is fetched: add, list, remove");
  site.verb("add", "fetch from a site that holds copies of this archive, with the code of `origin reader-code` there")
      .required("--code-file", code_file, "the file with the code", "FILE").json(json).body([this] { return add_site(*this); });
  site.verb("list", "the sites, in the order in which they are asked").json(json).body([this] { return list_sites(*this); });
  site.verb("remove", "fetch nothing from a site any more").required("--name", name, "the site", "ARCHIVE").json(json)
      .body([this] { return remove_site(*this); });
}

}  // namespace greffe::web
