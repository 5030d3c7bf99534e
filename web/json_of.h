// What the API says of things, as JSON (docs/openapi.yaml). Absent members are left out. Pure.
#ifndef GREFFE_WEB_JSON_OF_H
#define GREFFE_WEB_JSON_OF_H

#include <string>

#include "archive/accounts/accounts.h"
#include "archive/catalogue/catalogue.h"
#include "archive/format/canonical_json.h"
#include "archive/retrieval.h"
#include "archive/witnesses.h"

namespace greffe::web {

Json json_of(const catalogue::NamesByLanguage& names);
Json json_of(const accounts::Account& account);           // never a hash or a pseudonym
Json json_of(const catalogue::HearingRow& row);
Json json_of(const catalogue::Sitting& sitting);           // {"hidden":true} and nothing else when it may not be seen
Json json_of(const catalogue::Court& court);
Json json_of(const catalogue::Mark& mark, const std::string& account_name);
Json json_of(const archive::Timeline& timeline);           // without marks
Json json_of(const Details& details);                     // as Details v1, without the salt
Json json_of(const archive::WitnessFacts& facts);

}  // namespace greffe::web

#endif
