/* A server that does nothing but answer A2S_INFO (https://developer.valvesoftware.com/wiki/Server_queries) on its port. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  static const char info[] = "\xff\xff\xff\xffI\x11quiet\0c1m1_hotel\0left4dead2\0quiet\0\x26\x02\0\x08\0dl\0\x01"
                             "2.2.3.0";
  struct sockaddr_in address = {.sin_family = AF_INET};
  for (int i = 1; i + 1 < argc; i++)
    if (strcmp(argv[i], "-port") == 0) address.sin_port = htons(atoi(argv[i + 1]));
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    perror("bind");
    return 1;
  }
  printf("quiet server on port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    char question[1500];
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    if (recvfrom(fd, question, sizeof question, 0, (struct sockaddr *)&from, &length) > 0)
      sendto(fd, info, sizeof info, 0, (struct sockaddr *)&from, length);
  }
}
