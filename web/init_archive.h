// `greffe-archive init`: a new archive in a directory of its own: volumes, keys with their encrypted backup, the first
// entry of its log, a configuration to start from. `greffe-archive join`: a further machine for an archive whose pool is in Ceph or S3.
#ifndef GREFFE_WEB_INIT_ARCHIVE_H
#define GREFFE_WEB_INIT_ARCHIVE_H

#include <string>
#include <string_view>

#include "web/new_pool.h"

namespace greffe::web {

struct InitOptions {
  std::string directory;
  std::string name;
  std::string role = "primary";
  NewPool pool;
  std::string machine_address = "127.0.0.1:8444";
  std::string browser_address = "127.0.0.1:8443";
  std::string metrics_address;
  std::string ui_directory = "/usr/share/greffe/ui";
};

struct Initialised {
  std::string config_path;
  std::string backup_path;
  std::string recovery_code;  // shown once
  std::string pool_words;     // what is worth knowing of its pool, in a sentence, or nothing
};

// already_exists: there is an archive in that directory. A run that broke off can be repeated into another directory.
Result<Initialised> init_archive(const InitOptions& options);

// Name and role are what the pool's main log says; `backup` and `recovery_code` bring the keys that all machines of an archive share. Makes
// keys and configuration here and changes nothing in the pool. The path of the configuration. invalid: a pool on volumes.
// already_exists: as above. not_found: there is no archive in that pool. denied: another recovery code, or keys of another archive.
Result<std::string> join_archive(const InitOptions& options, std::string_view backup, std::string_view recovery_code);

}  // namespace greffe::web

#endif
