"""Text and bitext from Debian packages, message catalogues and the Universal Declaration.

The only part of the corpus room that may use the network, and only through the machine's own
package clients: ``apt-get`` and ``npm``.
"""
